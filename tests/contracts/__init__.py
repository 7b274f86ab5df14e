"""Tests of the contract suite, on correct and on faulty servers."""
