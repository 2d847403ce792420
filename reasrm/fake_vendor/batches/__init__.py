"""The batch APIs of the fake vendors."""
