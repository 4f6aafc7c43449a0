"""Lesson 01 in a real browser: the program writes there what it writes in a terminal, and so does the page itself."""

import subprocess

import pytest
from playwright.sync_api import expect

from llmlab.course.speaking import model_file
from llmlab.model import native, zoo

pytestmark = pytest.mark.browser
LESSON = "/01_two_files/"


def test_the_program_and_this_tab_write_what_the_terminal_writes(visit):
    page = visit(LESSON).page
    picture = page.locator(".ll-speaking:visible").first
    picture.locator(".ll-tok").first.wait_for()  # the text of the opening
    heat = picture.get_by_role("slider", name="Temperature")
    heat.evaluate("(i) => { i.value = 0; i.dispatchEvent(new Event('input', {bubbles: true})) }")
    picture.get_by_role("textbox", name="Text to continue").fill("The ferry waits for")
    picture.get_by_role("button", name="Write").click()
    columns = picture.locator(".ll-column")
    expect(columns).to_have_count(2)
    expect(columns.nth(1).locator(".ll-said")).to_contain_text("are the same as the program", timeout=60_000)
    call = [
        native.build(),
        model_file(zoo.load("course")),
        "-p",
        "The ferry waits for",
        "-t",
        "0",
        "-n",
        "200",
    ]
    said = subprocess.run([*map(str, call), "--ids"], capture_output=True, timeout=60).stdout.split()
    words = zoo.load("course").tokenizer
    text = words.decode([int(number) for number in said][1:])
    for place in (0, 1):
        assert columns.nth(place).locator(".ll-sheet").text_content() == text


def test_the_plug_is_pulled_and_the_map_tells(visit):
    page = visit(LESSON).page
    page.get_by_role("button", name="Pull the plug").click()
    answer = page.get_by_text("letter by letter").or_(page.get_by_text("no way to take the network"))
    expect(answer.last).to_be_visible(timeout=60_000)
    part = page.locator(".ll-filemap:visible .ll-part").nth(4)
    part.click()
    expect(page.locator(".ll-filemap:visible .ll-detail b")).to_have_text("embed_tokens")
