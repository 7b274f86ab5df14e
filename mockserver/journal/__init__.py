"""Journal of requests and answers, bounded in memory."""
