"""README, CONTRIBUTING and docs/: commands, options, code, names, numbers and links are held against the project."""

import ast
import importlib
import importlib.util
import re
import shlex
import sys
import tomllib
from pathlib import Path

import jaxtyping
import pytest
import torch
import typer.main
from hypothesis import settings

import drt
from drt.cli import FIGURES, app, main
from drt.descent.losses import MeanSquaredError
from drt.network.storage import save_network
from drt.theory.registry import claims, hypotheses

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md"))))
TEXT = {page: (ROOT / page).read_text() for page in PAGES}
README = TEXT["README.md"]
COMMANDS = typer.main.get_command(app).commands
TOP = "drt|proofs_checks|figures|tests|docs|benchmarks"
FAMILIES = {claim_id.partition(".")[0] for claim_id in claims}


def blocks(text, language):
    """The code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def spans(text):
    """The pieces of code in a page's prose, each on one line."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]


def command_lines(text):
    """What a reader could type: lines of shell blocks and pieces of code that start with a program's name."""
    shell = [line.partition("#")[0] for block in blocks(text, "sh") for line in block.splitlines()]
    shell += [line[2:] for block in blocks(text, "console") for line in block.splitlines() if line.startswith("$ ")]
    return [
        line.strip() for line in (*shell, *spans(text)) if re.match(r"(drt|make|python|\.venv/bin/\S+) [\w-]", line)
    ]


def options_of(command, rest, capsys):
    """The options that a command of drt knows."""
    if command != "figure":
        return {name for parameter in COMMANDS[command].params for name in parameter.opts}
    with pytest.raises(SystemExit):
        importlib.import_module(f"figures.{FIGURES[rest[0]]}").main(["--help"])
    return set(re.findall(r"--[a-z-]+", capsys.readouterr().out))


def faults_of_a_command(line, capsys):
    """What is wrong with a command line: the command, an option, a target of make, a module."""
    words = [word for part in line.split("&&") for word in shlex.split(part)]
    program, *rest = words
    if program == "drt" and rest and not rest[0].startswith("-"):
        if rest[0] not in COMMANDS:
            return [f"{line}: no command {rest[0]}"]
        if rest[0] == "figure" and rest[1] not in ("NAME", *FIGURES):
            return [f"{line}: no figure {rest[1]}"]
        if rest[0] == "figure" and rest[1] == "NAME":
            return []
        known = options_of(rest[0], rest[1:], capsys)
        named = [word.partition("=")[0] for word in rest if word.startswith("--")]
        return [f"{line}: no option {name}" for name in named if name not in known]
    if program == "make":
        makefile = (ROOT / "Makefile").read_text()
        targets = [word for word in words[1:2] if re.fullmatch(r"[a-z]+", word)]
        return [f"{line}: no target {t}" for t in targets if not re.search(rf"^{t}:", makefile, re.MULTILINE)]
    if "-m" in words:
        module = words[words.index("-m") + 1]
        return [] if module == "pytest" or is_module(module) else [f"{line}: no module {module}"]
    return []


def resolves(name):
    """Whether drt.a.b is a module, or a name in one."""
    if is_module(name):
        return True
    module, _, attribute = name.rpartition(".")
    return is_module(module) and hasattr(importlib.import_module(module), attribute)


def is_module(name):
    """Whether there is a module of this name."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # of a package above it
        return False


def faults_of_a_span(code):
    """What is wrong with a piece of code in prose: a path, a dotted name, a claim's id, an option that is not there."""
    if re.fullmatch(rf"({TOP})/[\w./*-]*", code):
        # x and X stand for a name of the reader's own.
        placeholder = re.search(r"\b(test_)?x\.py|X|NAME", code)
        return [] if placeholder or list(ROOT.glob(code.rstrip("/"))) else [f"{code}: no such file"]
    if re.fullmatch(r"drt(\.\w+)+", code) and not code.endswith(".py"):
        return [] if resolves(code) else [f"{code}: no such name"]
    if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", code) and code.partition(".")[0] in FAMILIES:
        known = code in claims or code in hypotheses or (ROOT / "proofs_checks" / f"{code}.py").exists()
        return [] if known or code.endswith(".py") else [f"{code}: no such claim"]
    if code.startswith("--"):
        known = {name for command in COMMANDS.values() for parameter in command.params for name in parameter.opts}
        named = re.findall(r"(?<!\S)--[a-z-]+", code)
        return [f"{code}: no option {name}" for name in named if name not in known]
    return []


def anchors(text):
    """The headings of a page as GitHub links to them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", h.lower()).replace(" ", "-") for h in headings}


def faults_of_links(page, text):
    """Links to files or headings that are not there."""
    faults = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / page).parent / file if file else ROOT / page
        if not path.exists():
            faults.append(f"{target}: no such file")
        elif anchor and anchor not in anchors(path.read_text()):
            faults.append(f"{target}: no such heading")
    return faults


def faults(page, text, capsys):
    """Everything in a page that is not so."""
    found = [f for line in command_lines(text) for f in faults_of_a_command(line, capsys)]
    found += [f for code in spans(text) for f in faults_of_a_span(code)]
    return found + faults_of_links(page, text)


@pytest.mark.parametrize("page", PAGES)
def test_commands_names_and_links_exist(page, capsys):
    assert faults(page, TEXT[page], capsys) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("`drt refute x`", "no command refute"),
        ("```sh\ndrt check a b --aktivation relu\n```", "no option --aktivation"),
        ("```console\n$ drt falsify x --bugdet 1\n```", "no option --bugdet"),
        ("`drt figure 7`", "no figure 7"),
        ("`drt figure audit --deep 2`", "no option --deep"),
        ("`make coffee`", "no target coffee"),
        ("`python -m figures.verdict r.json`", "no module figures.verdict"),
        ("`drt/theory/theorem2.py`", "no such file"),
        ("`drt.mesure`", "no such name"),
        ("`drt.theory.base.Claims`", "no such name"),
        ("`theorem1.functions`", "no such claim"),
        ("`--hypothesis=-widths` drops one", "no option --hypothesis"),
        ("[a](docs/none.md)", "no such file"),
        ("[a](#how-to-quote)", "no such heading"),
    ],
)
def test_a_planted_fault_is_found(text, words, capsys):
    (fault,) = faults("README.md", text, capsys)
    assert words in fault


def test_the_table_of_commands_is_complete():
    listed = re.findall(r"^\| `drt ([a-z]+)(?: ([a-z0-9-]+))?", README, re.MULTILINE)
    figures = {name for command, name in listed if command == "figure"}
    assert {command for command, _ in listed} == set(COMMANDS)
    assert {FIGURES[name] for name in figures} == set(FIGURES.values())


def test_versions_are_the_projects():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"Python {project['requires-python'].removeprefix('>=')} or newer" in README
    assert f"version {project['version']}" in README
    assert "Coq 8.16" in README
    assert "(Coq 8.16)" in (ROOT / "proofs_checks" / "coq" / "README.md").read_text()


def test_the_lines_that_verify_prints_agree_with_the_table_of_all_claims():
    rows = re.findall(
        r"^\| `(\S+)` \| \S+ \| \*\*(\w+)[^|]*\| ([^|]*) \| ([^|]*) \|", TEXT["docs/verdicts.md"], re.MULTILINE
    )
    table = {claim_id: (verdict, ratio.strip()) for claim_id, verdict, _, ratio in rows}
    assert set(table) == set(claims)
    block = README.split("<!-- verify: begin (generated) -->")[1].split("<!-- verify: end -->")[0]
    shown = [line.split() for line in block.splitlines() if line.partition(" ")[0] in claims]
    assert len(shown) == 6
    for claim_id, kind, verdict, *numbers in shown:
        assert kind == claims[claim_id].kind
        assert verdict == table[claim_id][0]
        assert table[claim_id][1] in numbers


def python_blocks():
    """README's three: a measurement, a bound, a test of the bound."""
    measuring, bound, testing = blocks(README, "python")
    return measuring, bound, testing


def test_the_measurement_runs(capsys):
    torch.manual_seed(0)
    shapes = {"W1": (3, 2), "W2": (3, 3), "dW1": (3, 2), "dW2": (3, 3), "x": (2,)}
    names = {name: torch.randn(shape, dtype=torch.float64) for name, shape in shapes.items()}
    exec(python_blocks()[0], names)
    assert names["m"].change > 0
    assert names["j"].quantity == "jacobian"
    for field in re.findall(r"\bm\.(\w+)", python_blocks()[0]):
        assert hasattr(names["m"], field)
    assert "holds" in capsys.readouterr().out


def test_falsify_prints_what_readme_shows(tmp_path, monkeypatch, capsys):
    (shown,) = blocks(README, "console")
    command, *expected = shown.splitlines()
    (tmp_path / "mine.py").write_text(python_blocks()[1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [*shlex.split(command[2:]), "--jobs", "1"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    assert _without_counts(capsys.readouterr().out.splitlines()) == _without_counts(expected)


def _without_counts(lines):
    return [re.sub(r", after .* instances.*", "", line) for line in lines if line.strip()]


def test_the_property_test_passes_for_a_true_bound(tmp_path, monkeypatch):
    true = python_blocks()[1].replace("m.alpha * m.kappa)", "m.alpha * m.kappa**2)")
    assert true != python_blocks()[1]
    (tmp_path / "mybounds.py").write_text(true)
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "test_mine.py"
    file.write_text(python_blocks()[2])
    names = {}
    exec(compile(file.read_text(), file, "exec"), names)
    jaxtyping.config.update("jaxtyping_disable", True)  # checks of signatures use `random`, which Hypothesis forbids
    settings(max_examples=10)(names["test_mine"])()
    sys.modules.pop("mybounds")


def test_check_runs_as_readme_writes_it(tmp_path, monkeypatch, capsys):
    (line,) = (line for line in command_lines(README) if line.startswith("drt check before"))
    for name, scale in (("before", 1.0), ("after", 1.01)):
        weights = [scale * torch.eye(2, dtype=torch.float64)] * 3
        save_network(tmp_path / f"{name}.safetensors", drt.Network(weights, "identity"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", shlex.split(line))
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert "spectral.function" in capsys.readouterr().out


def test_fields_named_in_the_glossary_exist():
    net = drt.Network([torch.eye(2, dtype=torch.float64)] * 2, "identity")
    dw, x = [0.1 * torch.eye(2, dtype=torch.float64)] * 2, torch.ones(2, dtype=torch.float64)
    measured = drt.measure(net, dw, x), drt.measure_descent(net, dw, x[None], MeanSquaredError(x[None]))
    named = {code for code in spans(TEXT["docs/glossary.md"]) if re.fullmatch(r"m\.\w+", code)}
    assert "m.kappa" in named
    assert [code for code in sorted(named) if not any(hasattr(m, code[2:]) for m in measured)] == []


def test_every_hypothesis_is_in_the_glossary():
    built_in = [
        name for name, hypothesis in hypotheses.items() if hypothesis.condition is None
    ]  # other tests make more
    assert [name for name in built_in if f"`{name}`" not in TEXT["docs/glossary.md"]] == []


def imports(wing):
    """The other wings that the modules of a wing import."""
    found = set()
    for file in (ROOT / "drt" / wing).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                full = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                full = [alias.name for alias in node.names]
            else:
                continue
            found |= {name.split(".")[1] for name in full if name.startswith("drt.")}
    return found & {p.parent.name for p in (ROOT / "drt").glob("*/__init__.py")} - {wing}


def test_the_map_shows_every_wing_below_those_that_it_imports():
    rows = dict(re.findall(r"^\| `drt/(\w+)/` \| ([\w, ]*)\|", TEXT["docs/house.md"], re.MULTILINE))
    order = list(rows)
    assert set(order) == {p.parent.name for p in (ROOT / "drt").glob("*/__init__.py")}
    for place, wing in enumerate(order):
        assert imports(wing) <= set(order[:place]), f"{wing} imports a wing below it"
    shown = {wing: ", ".join(sorted(imports(wing), key=order.index)) for wing in order}
    assert {wing: row.strip() for wing, row in rows.items()} == shown, "the rows of docs/house.md must say this"
