"""The report's charts as files for a paper: SVG and PDF, on white, with their legends and fonts in them."""
