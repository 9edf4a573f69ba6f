"""Files in and out: PSD, OpenRaster, PNG and other flat pictures, with what they keep of a layer."""
