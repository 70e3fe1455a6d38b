"""The command `railhttp`; colours and bars need the extra `cli`, the rest needs nothing."""
