"""`scrubber rules promote`, `migrate` and `index`: change one line of a rule file or a pack.yaml; write the index."""

from __future__ import annotations

import click

from scrubber.authoring.earlier_rules import earlier_rules
from scrubber.authoring.key_edit import set_key
from scrubber.authoring.promotion import PROMOTED_TO, family_of, file_of
from scrubber.authoring.promotion import promote as give_status
from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.cli.rules.options import counted, no_pack, no_rule, renew_index, rulebook
from scrubber.errors import Fault
from scrubber.rulebook.grammar import NEWEST
from scrubber.rulebook.load import load_packs, rule_files
from scrubber.rulebook.rule_index import INDEX, index_text


@click.command()
@click.argument("rule_id", metavar="ID")
@click.argument("status", type=click.Choice(PROMOTED_TO), metavar="STATUS")
@click.pass_context
def promote(context: click.Context, rule_id: str, status: str) -> None:
    """Give a rule another status, in one line of its file: shadow, active, or draft again.

    A shadow rule runs without effect, an active one counts, a draft does not run. Nothing is written, and the exit
    code is 1, where lint or one of its test cases would refuse the rule with that status; the reasons are told. Else
    the command tells what is left to do: a line in CHANGES.md, a back-test, a reload.

    \b
    scrubber rules promote our-clinic-modifier-25 shadow
    scrubber rules promote our-clinic-modifier-25 active
    scrubber rules promote our-clinic-modifier-25 draft
    """
    settings = current_settings()
    folder = settings.rules
    file = file_of(folder, rule_id)
    if file is None:
        family = family_of(folder, rule_id)
        if family is not None:
            raise Unusable(f"{rule_id} is a rule of a family: write its `status` into {folder}/{family}")
        raise no_rule(rule_id, [path.stem for path in rule_files(folder)])
    with errors_as_messages():
        done = give_status(
            folder,
            file,
            status,
            settings.reference,
            lambda: earlier_rules(
                folder, settings.state, lambda why: click.echo(f"versions not compared: {why}", err=True)
            ),
        )
    if done.against:
        for fault in done.against:
            click.echo(f"{folder}/{fault}")
        click.echo(f"{counted(len(done.against), 'fault')}: {rule_id} stays {done.before}; nothing was written")
        context.exit(1)
    click.echo(f"{folder}/{file}: status {done.before} -> {status}")
    renew_index(folder)
    for due in done.due:
        click.echo(f"  {due}")


@click.command()
@click.argument("packs", nargs=-1, required=True, metavar="PACK...")
def migrate(packs: tuple[str, ...]) -> None:
    """Write packs in the newest grammar of the rule language, so that their rules may use all of it.

    Grammar 2 reads all that grammar 1 reads, and means the same by it: the command writes the `grammar` of pack.yaml,
    and leaves rules, comments and layout as they are. What the rules mean does not change, and no version is raised.

    \b
    scrubber rules migrate our-clinic
    """
    folder = current_settings().rules
    faults: list[Fault] = []
    known = load_packs(folder, faults)
    for name in packs:
        if name not in known:
            broken = "".join(f"\n{folder}/{fault}" for fault in faults if fault.file.startswith(f"{name}/"))
            raise Unusable(broken.strip()) if broken else no_pack(name, known)
    for name in packs:
        file = f"{name}/pack.yaml"
        if known[name].grammar == NEWEST:
            click.echo(f"{folder}/{file}: is written in grammar {NEWEST} already")
            continue
        with errors_as_messages():
            set_key(folder / file, file, "grammar", f'"{NEWEST}"', after="name")
        click.echo(f"{folder}/{file}: grammar {known[name].grammar} -> {NEWEST}")


@click.command()
def index() -> None:
    """Write README.md of the folder of rules anew: every rule by pack, with title, severity, status and authority.

    `scrubber rules new` and `promote` keep a README.md that is there up to date; after other changes `scrubber rules
    lint` warns where it no longer is. Drafts that do not load are not in it.

    \b
    scrubber rules index
    """
    book = rulebook()
    path = current_settings().rules / INDEX
    path.write_text(index_text(book.packs, book.rules.values()), encoding="utf-8")
    click.echo(f"{path} is written: {counted(len(book.rules), 'rule')} in {counted(len(book.packs), 'pack')}")
