"""What scripts/bench measures. Every figure is a ratio to a reference of the same run, or a plain bound."""
