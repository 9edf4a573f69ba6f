"""PSD and PSB: the one room that knows psd-tools, imported with the first file that needs it."""
