"""Every judgment of every model to look at: a page of its own, with its data as script files that it loads by part."""
