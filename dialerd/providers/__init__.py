"""Cloud providers: one file for each, one place that sends (http.py), one account for each section
[providers.NAME] (accounts.py)."""
