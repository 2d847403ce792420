"""How fast requests go out, and when none may."""
