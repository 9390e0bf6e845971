"""All slices of a STIR side by side with the outlines of the bones and the joint lines, as one PNG."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage as ndi

from mri_sij.anatomy.joint import Joints
from mri_sij.anatomy.labels import LEFT_ILIUM, RIGHT_ILIUM, SACRUM
from mri_sij.evidence import Side
from mri_sij.geometry import Grid
from mri_sij.report.frame import Frame, edges_of, frame_around
from mri_sij.report.picture import STIR_UPPER, grey, window_of
from mri_sij.volume import LabelMap, Volume

COLOURS = {SACRUM: (0x00, 0x72, 0xB2), LEFT_ILIUM: (0xE6, 0x9F, 0x00), RIGHT_ILIUM: (0x00, 0x9E, 0x73)}
"""Colours that people of any colour vision can tell apart (Okabe and Ito)."""
CARTILAGE, LIGAMENT, SCORED, TEXT = (255, 60, 60), (255, 190, 190), (255, 255, 255), (255, 255, 255)

PIXEL_MM = 0.5
"""Side of a picture's pixel: fine enough for outlines between voxels."""

_COLUMNS = 6
_MARGIN_MM = 12.0


def anatomy_montage(stir: Volume, labels: LabelMap, joints: Joints, scored: tuple[int, ...], native: Grid) -> bytes:
    """PNG of all slices from front to back, the patient's right on the left; the same input gives the same bytes.

    `stir`, `labels` and `joints` are in the reading frame; slices in `scored` get a white frame; numbers are of the
    slice axis of `native`, the STIR's grid as it was read.
    """
    places = np.argwhere(labels.data > 0)[:, :2].astype(np.float64)
    frame = frame_around(stir.grid, [places] if len(places) else [], (_MARGIN_MM, _MARGIN_MM))
    window = window_of([frame.cut(stir.data[:, :, k]) for k in range(stir.grid.shape[2])], STIR_UPPER)
    tiles = []
    for k in range(stir.grid.shape[2]):
        tile = _tile(grey(stir.data[:, :, k], frame, window), labels.data[:, :, k], frame)
        draw = ImageDraw.Draw(tile)
        _joint_lines(draw, joints, k, frame)
        draw.text((4, 2), str(native.native_slice(k)), fill=TEXT)
        if k in scored:
            draw.rectangle((0, 0, tile.width - 1, tile.height - 1), outline=SCORED, width=2)
        tiles.append(tile)
    edges = edges_of(stir.grid)
    draw = ImageDraw.Draw(tiles[0])
    draw.text((4, tiles[0].height // 2), edges.left, fill=TEXT)
    draw.text((tiles[0].width - 12, tiles[0].height // 2), edges.right, fill=TEXT)
    return _png(tiles)


def _tile(picture: NDArray[np.uint8], plane: NDArray[np.uint8], frame: Frame) -> Image.Image:
    """A slice in grey with the outline of each bone."""
    size = round(frame.width_mm / PIXEL_MM), round(frame.height_mm / PIXEL_MM)
    pixels = np.array(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR).convert("RGB"))
    shown = frame.cut(plane)
    for label, colour in COLOURS.items():
        if not (shown == label).any():
            continue
        mask = Image.fromarray((shown == label).astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
        inside = np.asarray(mask) > 127
        pixels[inside & ~ndi.binary_erosion(inside)] = colour
    return Image.fromarray(pixels)


def _joint_lines(draw: ImageDraw.ImageDraw, joints: Joints, k: int, frame: Frame) -> None:
    for side in Side:
        there = joints.of(side).slices.get(k)
        if there is None:
            continue
        points = frame.place(there.midline) / PIXEL_MM
        for n in range(len(points) - 1):
            colour = CARTILAGE if there.cartilaginous[n] and there.cartilaginous[n + 1] else LIGAMENT
            draw.line([tuple(points[n]), tuple(points[n + 1])], fill=colour, width=1)


def _png(tiles: list[Image.Image]) -> bytes:
    width, height = tiles[0].size
    rows = -(-len(tiles) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * (width + 2), rows * (height + 2)))
    for n, tile in enumerate(tiles):
        sheet.paste(tile, ((n % _COLUMNS) * (width + 2) + 1, (n // _COLUMNS) * (height + 2) + 1))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()
