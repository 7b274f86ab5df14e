"""The contract suite, tried on servers that keep the contract and on servers that break it."""
