"""Provider adapters. The core knows only `nhictl.providers.base`; adapters are found by the entry point group."""
