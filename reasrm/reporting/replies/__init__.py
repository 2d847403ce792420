"""What judges wrote: their replies taken apart, compared, counted, and shown beside each other."""
