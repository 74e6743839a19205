"""Scene pixels to screen pixels: camera, tags, layout, mapper; pure."""
