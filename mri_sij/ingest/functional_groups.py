"""Enhanced multi-frame DICOM: the shared and per-frame functional groups (PS3.3 C.7.6.16) to one Frame each."""

from __future__ import annotations

from dataclasses import replace

from mri_sij.errors import RefusedError
from mri_sij.ingest import element
from mri_sij.ingest.element import Elements
from mri_sij.ingest.frame import Frame, Protocol, Six, Triple

SHARED, PER_FRAME = 0x52009229, 0x52009230
POSITION, ORIENTATION, MEASURES, TRANSFORM = 0x00209113, 0x00209116, 0x00289110, 0x00289145
CONTENT, ECHO, TIMING, MODIFIER, DIFFUSION, FRAME_TYPE = (
    0x00209111, 0x00189114, 0x00189112, 0x00189115, 0x00189117, 0x00189226,
)  # fmt: skip
PRIVATE_SCALING = 0x2005140F


class FunctionalGroupError(RefusedError):
    """A multi-frame file whose functional groups do not describe its frames."""

    code = "functional_groups"


def expand(base: Frame, ds: Elements) -> list[Frame]:
    """All frames of a multi-frame file, each with its own groups over the shared ones over the file's own values."""
    shared = element.first(ds, SHARED)
    frames = element.items(ds, PER_FRAME)
    if len(frames) != base.pixels.frames:
        raise FunctionalGroupError(
            f"The file declares {base.pixels.frames} frames and describes {len(frames)}.",
            hint="Where the other frames lie is unknown. Export the series again.",
        )
    common = _apply(base, shared)
    return [replace(_apply(common, frame), number=number) for number, frame in enumerate(frames)]


def triple(values: tuple[float, ...]) -> Triple | None:
    """Three numbers or None."""
    return (values[0], values[1], values[2]) if len(values) == 3 else None


def six(values: tuple[float, ...]) -> Six | None:
    """Six numbers or None."""
    return (values[0], values[1], values[2], values[3], values[4], values[5]) if len(values) == 6 else None


def pair(values: tuple[float, ...]) -> tuple[float, float] | None:
    """Two numbers or None."""
    return (values[0], values[1]) if len(values) == 2 else None


def _apply(frame: Frame, groups: Elements) -> Frame:
    measures, transform = element.first(groups, MEASURES), element.first(groups, TRANSFORM)
    content = element.first(groups, CONTENT)
    position = triple(element.decimals(element.first(groups, POSITION), 0x00200032))
    orientation = six(element.decimals(element.first(groups, ORIENTATION), 0x00200037))
    spacing = pair(element.decimals(measures, 0x00280030))
    temporal = element.whole(content, 0x00209128)
    acquisition = element.whole(content, 0x00209156)
    private = element.decimal(element.first(groups, PRIVATE_SCALING), 0x2005100E)
    return replace(
        frame,
        protocol=_protocol(frame.protocol, groups, measures),
        position=position or frame.position,
        orientation=orientation or frame.orientation,
        pixel_spacing_mm=spacing or frame.pixel_spacing_mm,
        slope=element.rescale(transform, 0x00281053, frame.slope),
        intercept=element.rescale(transform, 0x00281052, frame.intercept),
        private_scale=frame.private_scale if private is None else private,
        temporal_position=frame.temporal_position if temporal is None else temporal,
        acquisition_number=frame.acquisition_number if acquisition is None else acquisition,
        stack=element.text(content, 0x00209056) or frame.stack,
        dimension=element.wholes(content, 0x00209157) or frame.dimension,
        diffusion=_diffusion(element.first(groups, DIFFUSION)) or frame.diffusion,
    )


def _diffusion(group: Elements) -> tuple[float, ...]:
    direction = element.first(group, 0x00189076)
    return element.decimals(group, 0x00189087) + element.decimals(direction, 0x00189089)


def _protocol(known: Protocol, groups: Elements, measures: Elements) -> Protocol:
    if not any(tag in groups for tag in (ECHO, TIMING, MODIFIER, FRAME_TYPE, MEASURES)):
        return known
    timing, modifier = element.first(groups, TIMING), element.first(groups, MODIFIER)
    echo = element.decimal(element.first(groups, ECHO), 0x00189082)
    inversion = element.decimals(modifier, 0x00189079)
    kind = element.texts(element.first(groups, FRAME_TYPE), 0x00089007)
    recovery = element.text(modifier, 0x00189009)
    excited = element.text(modifier, 0x00189026)
    return replace(
        known,
        image_type=kind or known.image_type,
        echo_time_ms=known.echo_time_ms if echo is None else echo,
        repetition_time_ms=element.decimal(timing, 0x00180080) or known.repetition_time_ms,
        flip_angle_deg=element.decimal(timing, 0x00181314) or known.flip_angle_deg,
        inversion_time_ms=inversion[0] if inversion else known.inversion_time_ms,
        inversion_recovery={"YES": True, "NO": False}.get(recovery, known.inversion_recovery),
        # Exciting water alone leaves fat dark; exciting fat alone makes a picture of fat.
        fat_suppressed=True if excited == "WATER" else known.fat_suppressed,
        slice_thickness_mm=element.decimal(measures, 0x00180050) or known.slice_thickness_mm,
        spacing_between_slices_mm=element.decimal(measures, 0x00180088) or known.spacing_between_slices_mm,
    )
