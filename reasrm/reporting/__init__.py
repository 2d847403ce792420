"""The report: from scores, curves, traces and judgments to one page that can be read anywhere."""
