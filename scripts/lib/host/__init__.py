"""The test of dialerd as a service on a booted host; scripts/host-test runs it."""
