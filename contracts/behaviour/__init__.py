"""Layer 4: promises that neither generated data nor a model can say, one sentence each."""
