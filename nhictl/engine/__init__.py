"""The only stages with effects: reading targets, applying plans, recording. Knows providers only by their contract."""
