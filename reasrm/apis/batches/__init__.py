"""The vendors' batch APIs."""
