"""The filter row, the library's search by name and saved searches, in the program."""

from __future__ import annotations

from tests.e2e.desktop import State, Window


def names(state: State) -> list[str]:
    return sorted(card["name"] for card in state["cards"])


def test_the_library_is_narrowed_by_name_and_by_a_filter(window: Window) -> None:
    every = window.state()["media"]
    window.click_at(window.wait_still("entry", lambda s: s["buttons"].get("entry:Find by name")))
    window.type("SCENE 2")
    window.wait("one card", lambda s: names(s) == ["scene 2.png"])
    window.wait("their number", lambda s: any(t.startswith("1 of ") for t in s["texts"]))
    window.click("Media")
    window.screen.wait_still()
    window.key("Down", "Down", "Return")
    window.wait_text("Media: videos", "Show all")
    window.click("Clear")
    window.wait("one card again", lambda s: names(s) == ["scene 2.png"])
    window.key("Escape")
    window.wait("all", lambda s: s["media"] == every and "Media" in s["texts"])


def test_a_filtered_search_is_saved_run_and_removed(window: Window) -> None:
    window.key("ctrl+f")
    window.wait_still("the entry", lambda s: s["buttons"].get("entry:What are you looking for?"))
    window.click("Kind")
    window.screen.wait_still()
    window.key("Down", "Return")
    window.wait("objects", lambda s: s["searched"] == "kind:object" and s["cards"])
    window.click("Save search")
    window.wait("a name to give", lambda s: "entry:Name" in s["buttons"])
    window.type("All objects")
    window.key("Return")
    window.wait_text("Saved searches", "All objects")
    window.click("Clear")
    window.wait("nothing", lambda s: not s["cards"] and "Kind" in s["texts"])
    window.click("All objects")
    window.wait("objects again", lambda s: s["cards"] and "Kind: objects" in s["texts"])
    window.click_at(window.state()["buttons"]["All objects"], button=3)
    window.screen.wait_still()
    window.key("Down", "Down", "Return")
    window.wait("no saved search", lambda s: "Saved searches" not in s["texts"])
    window.click("Clear")  # others go on in this window
    window.wait("no filter", lambda s: "Kind: objects" not in s["texts"])
