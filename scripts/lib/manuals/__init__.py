"""The manual pages and the completions of the package, made of the commands' --help and of docs/."""
