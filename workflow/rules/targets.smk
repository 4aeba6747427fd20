# Targets that nothing makes, refused before anything runs and with what was probably meant.
from snakemake.cli import get_argument_parser

from study.parameters import suggestion

# Rules to name as a target: those of one thing, and of what this study has.
ABSENT = {
    name
    for name, there in (
        ("tune", TUNED),
        ("answers", TUNED),
        ("claims", STUDY.claims),
        ("trials", TRIED),
        ("gains", TRIED),
        ("hypotheses", STUDY.hypotheses),
    )
    if not there
}
OF_SOME = (
    "tuning",
    "tuned",
    "profiles",
    "across",
    "thresholds",
    "answers",
    "claims",
    "evidence",
    "trials",
    "budgets",
    "robustness",
    "gains",
    "leaderboard",
    "hypotheses",
)  # analyses that not every study has
NOT_MADE = {f"{RESULTS}/{name}.csv" for name in OF_SOME if name not in ANALYSES}
NAMES = [rule.name for rule in workflow.rules if not rule.has_wildcards() and rule.name not in ABSENT]


def unknown_targets():
    """What the command line asks for and no rule makes; what is there already is no error."""
    wanted = get_argument_parser().parse_known_args()[0].targets
    return [
        target
        for target in map(str, wanted)
        if target not in NAMES
        and not os.path.exists(target)
        and (
            os.path.relpath(target) in NOT_MADE
            or not any(rule.is_producer(os.path.relpath(target)) for rule in workflow.rules)
        )
    ]


if workflow.is_main_process and (unknown := unknown_targets()):
    files = [table_path(name) for name in (*store.TABLES, *ANALYSES)] + list(rules.figures.input)
    must = f"The target must be one of {', '.join(NAMES)}, or a file that the study makes."
    errors = [f"{must} Got '{target}' instead.{suggestion(target, [*NAMES, *files])}" for target in unknown]
    raise SystemExit(str(ConfigError("the command line", errors)))


if workflow.is_main_process and get_argument_parser().parse_known_args()[0].dryrun:
    if sentence := undecidable(STUDY):
        print(sentence, file=sys.stderr)
