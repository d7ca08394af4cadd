"""The hooks themselves: small shell scripts that run a hook that was there before, then ask tlblint.

What goes wrong inside of tlblint lets the send or the push go on: a checker that is broken must not stop work.
"""

from __future__ import annotations

from tlblint.io.hooks import ASIDE, sealed

NAMES = ("sendemail-validate", "pre-push")

_HEAD = """#!/bin/sh
# 'tlblint hook install' put this here, 'tlblint hook uninstall' takes it away.
# A hook that was here before is run first, under the name NAME{aside}.
"""

_INPUT = {
    "sendemail-validate": 'feed() { :; }\n',
    # Both hooks read the refs. Git may send none.
    "pre-push": 'refs=$(cat)\nfeed() { [ -z "$refs" ] || printf \'%s\\n\' "$refs" 2>/dev/null; }\n',
}

_BODY = """
if [ -x "$0{aside}" ]; then
	feed | "$0{aside}" "$@" || exit $?
fi

unchecked() {
	echo "tlblint hook: $1; nothing was checked" >&2
	[ "$(git config --type=bool tlblint.hook.strict 2>/dev/null)" != true ]
	exit
}

command -v tlblint >/dev/null 2>&1 || unchecked "there is no tlblint in PATH"
feed | tlblint hook run {name} "$@"
status=$?
[ $status -ne 0 ] || exit 0
# Python says 1 as well when it cannot even start a program.
if [ $status -eq 1 ] && tlblint hook --help >/dev/null 2>&1; then
	exit 1
fi
unchecked "tlblint ended with status $status"
"""


def script(name: str) -> bytes:
    """The hook of that name, ready to be written."""
    return sealed((_HEAD.replace("NAME", name) + _INPUT[name] + _BODY.replace("{name}", name)).replace("{aside}", ASIDE))
