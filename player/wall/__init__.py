"""What the screens are: windows, monitors, calibration, and how pictures are drawn on them."""
