"""Checks, the errors that they raise, and the document and evidence behind them."""
