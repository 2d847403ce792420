"""What every stage does around its work: parameters, outputs, locks, progress."""
