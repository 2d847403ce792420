"""The vendors' APIs: one client for each, one table of errors, keys that appear nowhere."""
