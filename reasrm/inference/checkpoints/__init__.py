"""What a checkpoint's folder holds, seen from its files before anything is loaded."""
