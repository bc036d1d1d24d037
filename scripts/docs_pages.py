"""A hook of MkDocs: README, CHANGELOG and LICENSE as pages of the site.

Links between them and docs/ are turned so that they hold on the site; MkDocs then checks them as
it checks all others.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PAGES = {"README.md": "readme.md", "CHANGELOG.md": "changelog.md", "LICENSE": "license.md"}
DECISIONS = "decisions/0001-a-frame-is-a-pure-function.md"  # a folder is no page


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the three."""
    for name, page in PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        if name == "LICENSE":
            text = f"# Licence\n\n```text\n{text}```\n"
        files.append(File.generated(config, page, content=in_docs(text)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links that leave docs/."""
    for name, target in PAGES.items():
        markdown = re.sub(rf"\]\((?:\.\./)+{re.escape(name)}(?=[)#])", f"]({target}", markdown)
    return markdown


def in_docs(text: str) -> str:
    """A page of the root, with its links as docs/ would write them."""
    for name, target in PAGES.items():
        text = text.replace(f"]({name})", f"]({target})")
    return text.replace("](docs/decisions/)", f"]({DECISIONS})").replace("](docs/", "](")
