"""The bus and the way of a record: intake, workers, sequencer, exchange."""
