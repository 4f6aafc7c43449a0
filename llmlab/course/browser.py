"""The browser of this machine: whether one can be opened, and which Chromium a test can drive."""

import os
import shutil
import sys
import webbrowser
from pathlib import Path

COMMANDS = (
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
    "microsoft-edge",
    "msedge",
)
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "{ProgramFiles}/Google/Chrome/Application/chrome.exe",
    "{ProgramFiles(x86)}/Google/Chrome/Application/chrome.exe",
    "{LOCALAPPDATA}/Google/Chrome/Application/chrome.exe",
    "{ProgramFiles(x86)}/Microsoft/Edge/Application/msedge.exe",
)


def find_chromium() -> Path | None:
    """Chromium, Chrome or Edge on this machine, or None."""
    for command in COMMANDS:
        if found := shutil.which(command):
            return Path(found)
    for place in PLACES:
        try:
            path = Path(place.format_map(os.environ))
        except KeyError:  # a Windows folder, and this is not Windows
            continue
        if path.exists():
            return path
    return None


def can_open() -> bool:
    """Whether `webbrowser` would show a window. On a Linux without a screen it would start a text browser here."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
