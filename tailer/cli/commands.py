"""The commands of ``tailer``: for each its help, its options, and the operation that it calls."""

from tailer.cli.command import Command, Option, for_all, for_each, for_one
from tailer.doctor import doctor, unsettled
from tailer.operations import change_streams, decisions, status

_POSITION = "beginning (the oldest history there is), an RFC 3339 time, or a resume token"
_REASON = "the reason: recorded, and published to every consumer"
_JSON: Option = ("--json", {"action": "store_true", "help": "for scripts"})
_DRY_RUN: tuple[Option, ...] = (("--dry-run", {"action": "store_true", "help": "show the result, and change nothing"}), _JSON)
_TO: Option = ("--to", {"required": True, "help": _POSITION})
_TO_OR_OLDEST: Option = (
    "--to",
    {"help": f"where the stream continues: {_POSITION} (default: the oldest history there is, else now)"},
)
_WHY: Option = ("--why", {"required": True, "metavar": "REASON", "help": _REASON})
_BY: Option = ("--by", {"metavar": "WHO", "help": "who decides this (default: the user who runs this)"})
_CHANGE: Option = ("change", {"metavar": "TOKEN", "help": "the change that the problem names (tailer status)"})
_PARTLY_DONE = {"interrupted": "what was done before stays: tailer change-streams show"}


def _reader(effect: str) -> Option:
    return "--reader", {"metavar": "ARN", "help": f"an IAM role or user: {effect}"}


COMMANDS = (
    Command(
        name="status",
        summary="who tails each stream, how far behind, how much history is left",
        run=for_each(status.status),
        options=(_JSON,),
        examples=("tailer status", "tailer status --stream payments --json"),
    ),
    Command(
        name="doctor",
        summary="check everything a tailer needs, and name the remedy for what fails",
        run=doctor,
        options=(("--json", {"action": "store_true", "help": "for scripts: one object, at the end"}),),
        examples=("tailer doctor", "tailer doctor --json"),
        details="It connects to everything with the settings of tailer run and prints one line for each check: ok, FAIL, warn "
        "or skip, with the remedy. It takes no lease, sends no message and consumes nothing. Its exit code is the one tailer "
        "run would end with: 0 without a FAIL.",
        defaults={"unsettled": unsettled},
    ),
    Command(
        name="checkpoint show",
        summary="the stored record of each stream",
        run=for_each(status.stored),
        options=(_JSON,),
        examples=("tailer checkpoint show", "tailer checkpoint show --json"),
    ),
    Command(
        name="checkpoint seed",
        summary="give a stream that has none its first checkpoint",
        run=for_one(decisions.seed),
        options=(*_DRY_RUN, _TO),
        examples=("tailer checkpoint seed --to 2026-11-22T12:12:00Z --dry-run",),
    ),
    Command(
        name="checkpoint rewind",
        summary="deliver everything after a position again, as a new generation",
        run=for_one(decisions.rewind),
        options=(*_DRY_RUN, _TO),
        examples=("tailer checkpoint rewind --to 2026-11-22T12:12:00Z --dry-run", "tailer checkpoint rewind --to beginning"),
    ),
    Command(
        name="checkpoint accept-gap",
        summary="continue after lost history; the gap is recorded and published",
        run=for_one(decisions.accept_gap),
        options=(*_DRY_RUN, _WHY, _BY, _TO_OR_OLDEST),
        examples=('tailer checkpoint accept-gap --why "restored from the backup of Monday"',),
    ),
    Command(
        name="checkpoint skip",
        summary="skip the change that stops a stream; recorded and published",
        run=for_one(decisions.skip),
        options=(*_DRY_RUN, _CHANGE, _WHY, _BY),
        examples=('tailer checkpoint skip 8265F2A1C0000000011270 --why "a document of a test, nobody needs it"',),
    ),
    Command(
        name="checkpoint accept-settings",
        summary="continue with the current settings, as a new generation",
        run=for_one(decisions.accept_settings),
        options=(*_DRY_RUN, ("--anyway", {"action": "store_true", "help": "even if messages wait in the queue"})),
        examples=("tailer checkpoint accept-settings --dry-run",),
    ),
    Command(
        name="checkpoint accept-cluster",
        summary="continue at the same position in another cluster's history, as a new generation. Changes that only the former "
        "cluster committed after it are not delivered, and changes that both have may be delivered again",
        run=for_one(decisions.accept_cluster),
        options=_DRY_RUN,
    ),
    Command(
        name="change-streams show",
        summary="what each stream needs, and whether it is enabled",
        run=for_all(change_streams.show),
        options=(_JSON,),
        examples=("tailer change-streams show",),
    ),
    Command(
        name="change-streams enable",
        summary="enable what the streams need (DocumentDB; needs the right to modify change streams)",
        run=for_all(change_streams.enable),
        options=(*_DRY_RUN, _reader("give it read access to the streams, and no more")),
        examples=(
            "tailer change-streams enable --dry-run",
            "tailer change-streams enable --reader arn:aws:iam::123456789012:role/tailer",
        ),
        defaults=_PARTLY_DONE,
    ),
    Command(
        name="change-streams disable",
        summary="disable it again, for every reader",
        run=for_all(change_streams.disable),
        options=(*_DRY_RUN, _reader("remove its access")),
        examples=("tailer change-streams disable --dry-run",),
        defaults=_PARTLY_DONE,
    ),
)
