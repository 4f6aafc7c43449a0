# /// script
# requires-python = ">=3.11"
#
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="LLM Lab", css_file="../assets/llmlab.css")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from llmlab.course.doctor import device_sentence
    from llmlab.course.home import students_page

    return device_sentence, mo, students_page


@app.cell(hide_code=True)
def _(device_sentence, mo, students_page):
    mo.Html(students_page(device_sentence()))
    return


if __name__ == "__main__":
    app.run()
