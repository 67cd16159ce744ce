#!/usr/bin/env python3
"""Makes Tests/Goldens/images: small images of every kind that AssayData reads, the pixels that Pillow
reads from them (expected.npz), and resized and preprocessed values (resized.npz).

Made with Pillow 13.0, NumPy 2.4, TensorFlow 2.21, Keras 3.15 and OpenCV 5.0:

    python3 Tests/Goldens/make_images.py
"""

import io
import pathlib
import struct
import zlib

import cv2
import numpy as np
from PIL import Image

OUT = pathlib.Path(__file__).resolve().parent / "images"
OUT.mkdir(exist_ok=True)
W, H = 23, 17

y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 11 % 256, y * 15 % 256, (x * y * 3 + 40) % 256], -1).astype(np.uint8)
smooth = np.stack(
    [127 + 100 * np.sin(x / 5), 127 + 90 * np.cos(y / 4), 100 + x * 3 + y * 2], -1
).clip(0, 255).astype(np.uint8)
gray = ((x * 7 + y * 13) % 256).astype(np.uint8)
alpha = ((x * 10) % 256).astype(np.uint8)
expected = {}


def save(name, image, pixels=None, **options):
    image.save(OUT / name, **options)
    if pixels is None:
        read = Image.open(OUT / name)
        pixels = np.asarray(read if read.mode == "L" and not name.endswith("gif") else read.convert("RGB"))
    expected[name] = pixels


save("rgb.png", Image.fromarray(rgb))
save("gray.png", Image.fromarray(gray))
save("rgba.png", Image.fromarray(np.dstack([rgb, alpha])), pixels=rgb)
save("gray_alpha.png", Image.fromarray(np.dstack([gray, alpha])), pixels=gray)
save("palette.png", Image.fromarray(rgb).quantize(32))
save("rgb.gif", Image.fromarray(rgb).quantize(64))
save("interlaced.gif", Image.fromarray(smooth).quantize(200), interlace=1)
save("animated.gif", Image.fromarray(gray), save_all=True, append_images=[Image.fromarray(255 - gray)])
save("bilevel.png", Image.fromarray(gray > 100), pixels=np.where(gray > 100, 255, 0).astype(np.uint8))


def png(name, depth, color, rows, chunks=(), interlace=0):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    raw = b"".join(b"\0" + row for row in rows)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, depth, color, 0, 0, interlace))
    for kind, content in chunks:
        data += chunk(kind, content)
    data += chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")
    (OUT / name).write_bytes(data)


# 16 bits: the high byte is the value; a gamma chunk that must change nothing.
wide = rgb.astype(np.uint16) * 257
png("rgb16.png", 16, 2, [row.astype(">u2").tobytes() for row in wide])
expected["rgb16.png"] = rgb
png("gray16.png", 16, 0, [(row.astype(">u2") * 257).astype(">u2").tobytes() for row in gray])
expected["gray16.png"] = gray
png("gamma.png", 8, 2, [row.tobytes() for row in rgb], [(b"gAMA", struct.pack(">I", 100000))])
expected["gamma.png"] = rgb

save("rgb.jpg", Image.fromarray(smooth), quality=90)
save("rgb444.jpg", Image.fromarray(smooth), quality=95, subsampling=0)
save("progressive.jpg", Image.fromarray(smooth), quality=90, progressive=True)
save("gray.jpg", Image.fromarray(smooth[:, :, 0].copy()), quality=90)
save("cmyk.jpg", Image.fromarray(smooth).convert("CMYK"), quality=95, subsampling=0)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    name = f"exif{orientation}.jpg"
    Image.fromarray(smooth).save(OUT / name, quality=95, subsampling=0, exif=exif)
    from PIL import ImageOps

    expected[name] = np.asarray(ImageOps.exif_transpose(Image.open(OUT / name)).convert("RGB"))

save("lossy.webp", Image.fromarray(smooth), quality=90)
save("lossless.webp", Image.fromarray(rgb), lossless=True)
save("alpha.webp", Image.fromarray(np.dstack([rgb, alpha])), pixels=rgb, lossless=True, exact=True)

save("rgb.bmp", Image.fromarray(rgb))
save("gray.bmp", Image.fromarray(gray))
save("palette.bmp", Image.fromarray(rgb).quantize(32))
save("bilevel.bmp", Image.fromarray(gray > 100), pixels=np.where(gray > 100, 255, 0).astype(np.uint8))
save("rgba.bmp", Image.fromarray(np.dstack([rgb, alpha])), pixels=rgb)
# Top-down, 16 bits with masks 5-6-5.
packed = (rgb[:, :, 0] >> 3).astype(np.uint16) << 11 | (rgb[:, :, 1] >> 2).astype(np.uint16) << 5 | rgb[:, :, 2] >> 3
rows = b"".join(row.astype("<u2").tobytes().ljust((W * 2 + 3) // 4 * 4, b"\0") for row in packed)
head = struct.pack("<IiiHHIIiiII", 40, W, -H, 1, 16, 3, len(rows), 0, 0, 0, 0)
masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
(OUT / "rgb565.bmp").write_bytes(struct.pack("<2sIHHI", b"BM", 66 + len(rows), 0, 0, 66) + head + masks + rows)
five = lambda v: (v.astype(int) * 255 + 15) // 31
six = lambda v: (v.astype(int) * 255 + 31) // 63
expected["rgb565.bmp"] = np.stack([five(rgb[..., 0] >> 3), six(rgb[..., 1] >> 2), five(rgb[..., 2] >> 3)], -1).astype(np.uint8)

save("rgb.ppm", Image.fromarray(rgb))
save("gray.pgm", Image.fromarray(gray))
text = f"P3 # comment\n{W} {H}\n255\n" + "\n".join(" ".join(map(str, v)) for v in rgb.reshape(H, -1))
(OUT / "plain.ppm").write_text(text + "\n")
expected["plain.ppm"] = rgb

np.savez_compressed(OUT / "expected.npz", **expected)

# Resizing: Pillow's filters, TensorFlow's bilinear and area; down, up, and both.
import tensorflow as tf

resized = {}
for width, height in [(9, 7), (40, 30), (12, 30), (23, 7)]:
    for name, method in [
        ("antialias", Image.BILINEAR), ("nearest", Image.NEAREST), ("bicubic", Image.BICUBIC), ("lanczos", Image.LANCZOS),
    ]:
        resized[f"{name}_{width}x{height}"] = np.asarray(Image.fromarray(rgb).resize((width, height), method)).astype(np.float32)
    for name in ["bilinear", "area"]:
        resized[f"{name}_{width}x{height}"] = tf.image.resize(rgb, (height, width), method=name).numpy()
    resized[f"opencv_{width}x{height}"] = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
resized["gray"] = np.asarray(Image.fromarray(rgb).convert("L")).astype(np.float32)

# Keras's modes.
import keras

for mode, ours in [("tf", "mobilenet"), ("torch", "torch"), ("caffe", "caffe")]:
    resized[f"mode_{ours}"] = keras.applications.imagenet_utils.preprocess_input(
        rgb[None].astype(np.float32), mode=mode, data_format="channels_last"
    )
resized["crop_0.875"] = tf.image.central_crop(rgb, 0.875).numpy().astype(np.float32)
np.savez_compressed(OUT / "resized.npz", **resized)
