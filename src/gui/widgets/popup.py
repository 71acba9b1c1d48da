"""A menu that appears where it is asked for, and is gone when a choice is made."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from functools import partial

from src.gui.theme import NORMAL, Theme


def show_menu(
    master: tkinter.Misc,
    look: Theme,
    entries: Sequence[tuple[str, Callable[[], object]]],
    x: int,
    y: int,
) -> None:
    """Open a menu at a place on the screen.

    Args:
        entries: what each says, and what it does.
    """
    c = look.colours
    menu = tkinter.Menu(
        master,
        tearoff=False,
        bg=c.raised,
        fg=c.text,
        activebackground=c.hover,
        activeforeground=c.text,
        bd=0,
        relief="flat",
        activeborderwidth=0,  # a wider one is drawn raised
        font=look.canvas_font(master, NORMAL),
    )
    # an empty picture makes a line as high as a finger wants it
    height = tkinter.PhotoImage(master=menu, width=look.px(6), height=look.px(28))
    for text, command in entries:
        menu.add_command(label=f"{text}   ", command=command, image=height, compound="left")
    # it goes once Tk is through with it: the choice is carried out after it closes
    menu.bind("<Unmap>", partial(_end, menu, height))
    menu.tk_popup(x, y)
    menu.grab_release()


def _end(menu: tkinter.Menu, _picture: tkinter.PhotoImage, _event: object) -> None:
    """Take a menu away; its picture must live as long as it does."""
    menu.after_idle(menu.destroy)
