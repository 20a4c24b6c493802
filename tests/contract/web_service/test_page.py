"""The page for people, in a browser."""

import json
import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright, expect, sync_playwright

from tests.conftest import PROJECT
from tests.web import Web

UNPACKED = PROJECT / ".tools/browser/unpacked"
AXE = PROJECT / ".tools/browser/node_modules/axe-core/axe.min.js"
# As root there is no sandbox; and it is to call nobody but the service.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium, in a profile of its own; `CHROMIUM` names another one than `make test` set up."""
    with sync_playwright() as playwright:
        try:
            browser = launched(playwright)
        except Error:  # now and then a Chromium crashes as it starts, before it has seen a page
            browser = launched(playwright)
        yield browser
        browser.close()


def launched(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(
        executable_path=os.environ.get("CHROMIUM") or UNPACKED / "chromium",
        args=FLAGS,
        env={
            **os.environ,
            "LD_LIBRARY_PATH": str(UNPACKED / "al2023/lib"),
            "FONTCONFIG_PATH": str(UNPACKED / "fonts"),
            "XDG_CACHE_HOME": str(UNPACKED / "cache"),
        },
    )


@pytest.fixture
def page(browser: Browser, web: Web) -> Iterator[Page]:
    """The page, with its first prediction; whatever its console says is a failure."""
    page = browser.new_page(viewport={"width": 1080, "height": 680})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(web.url)
    expect(page.get_by_role("status")).to_have_text(re.compile(r"\d+\.\d minutes"))
    yield page
    page.close()
    assert said == []


def shown(page: Page) -> float:
    return float(page.locator("#value").inner_text())


def predicted(web: Web, start: int, end: int, miles: float) -> float:
    ride = {"PULocationID": start, "DOLocationID": end, "trip_distance": miles}
    return round(float(web.post(ride).json["duration"]), 1)


def test_page_shows_what_predict_answers(page: Page, web: Web) -> None:
    """Two zones picked by name, and a distance: the minutes are those of /predict."""
    page.get_by_label("From", exact=True).select_option("East Harlem South")
    page.get_by_label("To", exact=True).select_option("Clinton West")
    page.get_by_label("Distance, in miles", exact=True).fill("7.5")

    expect(page.locator("#value")).to_have_text(str(predicted(web, 75, 50, 7.5)))
    version = web.get("/version").json["model_version"]
    expect(page.get_by_text(f"Model version {version}")).to_be_visible()


def test_page_follows_the_keyboard(page: Page) -> None:
    """The slider moves by keys, the field follows it, and the minutes follow both."""
    before = shown(page)
    slider = page.get_by_label("Distance, in miles, by slider")
    slider.focus()
    page.keyboard.press("End")

    expect(page.get_by_label("Distance, in miles", exact=True)).to_have_value("20")
    expect(page.locator("#value")).not_to_have_text(str(before))
    assert shown(page) > before


def test_page_plots_the_prediction_by_distance(page: Page) -> None:
    """The plot's line rises with the distance, the dot is on it, and the table has its numbers."""
    path = page.locator("#line").get_attribute("d") or ""
    points = [(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", path)]
    dot = page.locator("#chosen circle")
    at = (float(dot.get_attribute("cx") or 0), float(dot.get_attribute("cy") or 0))
    nearest = min(points, key=lambda point: abs(point[0] - at[0]))

    assert len(points) == 80
    assert points == sorted(points)
    assert points[-1][1] < points[0][1]  # downwards is up
    assert abs(nearest[1] - at[1]) < 10
    page.get_by_text("The same in numbers").click()
    expect(page.get_by_role("row")).to_have_count(11)
    title = page.get_by_role("img").locator("title").text_content() or ""
    assert re.fullmatch(r"duration by distance: .* minutes at 0.25 miles, .* at 20 miles", title)


def test_page_says_what_is_wrong_with_a_distance(page: Page) -> None:
    """A distance that is none shows no prediction, and an alert says what is allowed."""
    page.get_by_label("Distance, in miles", exact=True).fill("-1")

    expect(page.get_by_role("alert")).to_have_text(
        "The distance must be a number of miles from 0 to 100."
    )
    expect(page.locator("#value")).not_to_have_text(re.compile(r"\d"))
    page.get_by_label("Distance, in miles", exact=True).fill("1")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_page_calls_nobody_but_the_service(browser: Browser, web: Web) -> None:
    """Style, script and icon come from the service itself."""
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(web.url, wait_until="networkidle")
    page.close()

    assert len(asked) >= 4
    assert [url for url in asked if not url.startswith(f"{web.url}/")] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1080])
def test_page_is_accessible(browser: Browser, web: Web, scheme: str, width: int) -> None:
    """axe-core finds no fault, by day and by night, on a telephone and on a desk."""
    # axe-core comes in as a script of the page's own, which the page's policy is right to refuse.
    page = browser.new_page(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,
    )
    page.goto(web.url)
    expect(page.get_by_role("status")).to_have_text(re.compile(r"\d+\.\d minutes"))
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run()")
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    page.close()

    assert found["passes"]
    assert [(fault["id"], fault["help"]) for fault in found["violations"]] == []
    assert overflow <= 0


def test_page_has_every_zone_once() -> None:
    """The zones are TLC's 1 to 263, which are all that have a place."""
    zones = json.loads((PROJECT / "web_service/zones.json").read_text())
    numbers = sorted(int(number) for names in zones.values() for number in names)

    assert numbers == list(range(1, 264))
