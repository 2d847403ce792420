"""What probes that attack a judge share: their texts, and how success is counted."""
