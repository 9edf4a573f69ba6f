"""Where networks lie and what memory holds: devices, plans, placement, precision."""
