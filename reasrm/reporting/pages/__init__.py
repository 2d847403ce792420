"""What each page of the report shows, gathered before a line of HTML is written: one module per page."""
