"""The programme a plan belongs to: the episodes of care it rests on, or was made in. Pure."""

from collections.abc import Mapping

from app.fhir.context import Resource
from app.isp.element import names


def is_same_programme(one: Resource, other: Resource, known: Mapping[str, Resource]) -> bool:
    """Plans are of different programmes where each rests on an episode of care of its own.

    `known` are the resources given, by Type/id: a plan names its episodes in supportingInfo, or by
    the encounter it was made in.
    """
    programmes = [_episodes(each, known) for each in (one, other)]
    return not all(programmes) or bool(programmes[0] & programmes[1])


def _episodes(care_plan: Resource, known: Mapping[str, Resource]) -> set[str]:
    targets = names(care_plan.get("supportingInfo"))
    for encounter in names(care_plan.get("encounter")):
        targets += names(known.get(encounter, {}).get("episodeOfCare"))
    return {target for target in targets if target.startswith("EpisodeOfCare/")}
