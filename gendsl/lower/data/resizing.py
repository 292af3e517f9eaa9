"""The arguments of an `image` statement in, the functions that bring pictures to its channels and size out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from gendsl.plan.plan import Call

_NAMED = {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128)}
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow converts to grey
_METHODS = {
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
}
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class Transform:
    """What is done to each picture once: channels, then a resize, then a cut from the middle (not a random one)."""

    channels: int | None
    resize: tuple[int, int] | None
    fit: str
    crop: tuple[int, int] | None
    background: tuple[int, int, int]
    method: Image.Resampling = Image.Resampling.BICUBIC  # always with antialiasing

    def size_of(self, height: int, width: int) -> tuple[int, int]:
        """The size that a picture of some size gets."""
        return self.crop or self.resize or (height, width)

    def of_file(self, picture: Image.Image, channels: int) -> np.ndarray:
        """A decoded picture as uint8 (h, w, channels)."""
        picture = in_channels(picture, channels, self.background)
        if self.resize is not None and picture.size != (self.resize[1], self.resize[0]):
            picture = self._resized(picture, channels)
        pixels = np.asarray(picture)
        pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
        return self.cut(pixels[None])[0] if self.crop is not None else pixels

    def of_array(self, images: np.ndarray) -> np.ndarray:
        """Pictures (n, h, w, c), uint8 or float32 in 0..1, all at once; the type stays."""
        images = self._recoloured(images)
        if self.resize is not None and images.shape[1:3] != self.resize:
            images = self._scaled(images)
        return self.cut(images) if self.crop is not None else images

    def cut(self, images: np.ndarray) -> np.ndarray:
        """The middle of pictures (n, h, w, c), of the size of `crop`."""
        if self.crop is None:
            return images
        return cut_middle(images, self.crop)

    def _resized(self, picture: Image.Image, channels: int) -> Image.Image:
        assert self.resize is not None
        height, width = self.resize
        if self.fit == "stretch":
            return picture.resize((width, height), self.method)
        ratio = (max if self.fit == "cover" else min)(width / picture.width, height / picture.height)
        if self.fit == "cover":
            across, down = width / ratio, height / ratio
            left, top = (picture.width - across) / 2, (picture.height - down) / 2
            box = (max(0.0, left), max(0.0, top), min(left + across, picture.width), min(top + down, picture.height))
            return picture.resize((width, height), self.method, box=box)
        inner = (max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio)))
        small = picture.resize(inner, self.method)
        red, green, blue = self.background
        grey = round(float(np.dot(_LUMA, self.background)))
        empty: Any = {1: grey, 2: (grey, 0), 3: (red, green, blue), 4: (red, green, blue, 0)}[channels]
        whole = Image.new(small.mode, (width, height), empty)
        whole.paste(small, ((width - inner[0]) // 2, (height - inner[1]) // 2))
        return whole

    def _recoloured(self, images: np.ndarray) -> np.ndarray:
        have, want = images.shape[3], self.channels
        if want is None or want == have:
            return images
        out = [self._recolour(images[start : start + 4096], have, want) for start in range(0, len(images), 4096)]
        return np.concatenate(out)

    def _recolour(self, images: np.ndarray, have: int, want: int) -> np.ndarray:
        top = 255.0 if images.dtype == np.uint8 else 1.0
        values = images.astype(np.float32) / top
        alpha = values[..., -1:] if have in (2, 4) else np.ones_like(values[..., :1])
        colour = values[..., :-1] if have in (2, 4) else values
        if want in (1, 3):  # what is transparent shows the background
            behind = np.array(self.background, np.float32) / 255
            behind = behind if colour.shape[-1] == 3 else behind @ _LUMA
            colour = colour * alpha + behind * (1 - alpha)
        if want in (1, 2) and colour.shape[-1] == 3:
            colour = (colour @ _LUMA)[..., None]
        if want in (3, 4) and colour.shape[-1] == 1:
            colour = np.repeat(colour, 3, axis=-1)
        if want in (2, 4):
            colour = np.concatenate([colour, alpha], axis=-1)
        return _typed(colour, images.dtype)

    def _scaled(self, images: np.ndarray) -> np.ndarray:
        """Both sides scaled by the weights that Pillow's resize uses, rounded once."""
        assert self.resize is not None
        _, height, width, channels = images.shape
        high, wide = self.resize
        top, left, down, across = 0.0, 0.0, float(height), float(width)
        if self.fit == "cover":
            ratio = max(high / height, wide / width)
            down, across = high / ratio, wide / ratio
            top, left = (height - down) / 2, (width - across) / 2
        inner = (high, wide)
        if self.fit == "pad":
            ratio = min(high / height, wide / width)
            inner = (max(1, round(height * ratio)), max(1, round(width * ratio)))
        rows = _weights(height, inner[0], top, down, self.method)
        columns = _weights(width, inner[1], left, across, self.method)
        out = np.empty((len(images), high, wide, channels), images.dtype)
        if inner != (high, wide):
            out[...] = self._empty(channels, images.dtype)
        first_row, first_column = (high - inner[0]) // 2, (wide - inner[1]) // 2
        place = np.s_[first_row : first_row + inner[0], first_column : first_column + inner[1]]
        top_value = 255.0 if images.dtype == np.uint8 else 1.0
        for start in range(0, len(images), 1024):
            part = images[start : start + 1024].astype(np.float32) / top_value
            part = np.einsum("Hh,nhwc->nHwc", rows, part, optimize=True)
            part = np.einsum("Ww,nHwc->nHWc", columns, part, optimize=True)
            out[start : start + 1024][:, place[0], place[1]] = _typed(part, images.dtype)
        return out

    def _empty(self, channels: int, kind: Any) -> np.ndarray:
        colour = np.array(self.background, np.float32) / 255
        grey = np.array([colour @ _LUMA])
        none = np.zeros(1)
        parts = {1: [grey], 2: [grey, none], 3: [colour], 4: [colour, none]}[channels]
        return _typed(np.concatenate(parts), kind)


def transform_of(arguments: Mapping[str, Any]) -> Transform:
    """The transform that the arguments of an `image` statement say; those left out are the vocabulary's defaults."""
    crop = arguments.get("crop")
    background = arguments.get("background") or "black"
    named = _NAMED.get(background)
    colour = named or tuple(ImageColor.getrgb(background)[:3])
    return Transform(
        arguments.get("channels"),
        _sides(arguments.get("resize")),
        arguments.get("fit") or "cover",
        None if random_crop(arguments) else _sides(crop.arguments["size"] if isinstance(crop, Call) else crop),
        (colour[0], colour[1], colour[2]),
        _METHODS[arguments.get("method") or "bicubic"],
    )


def random_crop(arguments: Mapping[str, Any]) -> tuple[int, int] | None:
    """The size of a crop that is drawn anew each epoch, None if there is none."""
    crop = arguments.get("crop")
    return _sides(crop.arguments["size"]) if isinstance(crop, Call) and crop.word == "random" else None


def cut_middle(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The middle of pictures (n, h, w, c)."""
    top, left = (images.shape[1] - size[0]) // 2, (images.shape[2] - size[1]) // 2
    return images[:, top : top + size[0], left : left + size[1]]


def in_channels(picture: Image.Image, channels: int, background: tuple[int, int, int]) -> Image.Image:
    """A decoded picture of any mode with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels."""
    if picture.mode.startswith("I;16") or picture.mode == "I":  # 16 bits of grey
        picture = Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if picture.mode == "F":
        picture = Image.fromarray((np.asarray(picture).clip(0, 1) * 255 + 0.5).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        if channels in (1, 3):
            behind = Image.new("RGBA", picture.size, (*background, 255))
            picture = Image.alpha_composite(behind, picture).convert("RGB")
    return picture if picture.mode == _MODES[channels] else picture.convert(_MODES[channels])


def resized(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pictures (n, h, w, c), uint8 or float32 in 0..1, as float32 (n, height, width, c); overshoot is not cut."""
    count, high, wide, channels = images.shape
    rows = _weights(high, height, 0.0, float(high)) / np.float32(255.0 if images.dtype == np.uint8 else 1.0)
    columns = _weights(wide, width, 0.0, float(wide))
    lines = rows @ images.reshape(count, high, wide * channels).astype(np.float32)  # five times as fast as an einsum
    out: np.ndarray = columns @ lines.reshape(count * height, wide, channels)
    return out.reshape(count, height, width, channels)


def grey_of(images: np.ndarray) -> np.ndarray:
    """Pictures (n, h, w, c) float32 as grey ones (n, h, w), without their alpha."""
    return images[..., :3] @ _LUMA if images.shape[3] >= 3 else images[..., 0]


def _weights(
    have: int, want: int, start: float, length: float, method: Image.Resampling = Image.Resampling.BICUBIC
) -> np.ndarray:
    """The matrix (want, have) of a resize with antialiasing: Pillow's, taken of the unit vectors."""
    unit = Image.fromarray(np.eye(have, dtype=np.float32))
    box = (0.0, max(0.0, start), float(have), min(float(have), start + length))
    return np.asarray(unit.resize((have, want), method, box=box))


def _typed(values: np.ndarray, kind: Any) -> np.ndarray:
    """Numbers in 0..1 as bytes, rounded, or as float32."""
    if kind == np.uint8:
        return (values.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return values.clip(0, 1).astype(np.float32)


def _sides(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    sides = tuple(value) if isinstance(value, tuple) else (value,)
    return int(sides[0]), int(sides[-1])
