#include "CExplorerPages.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#define PAGE(symbol) static const uint8_t symbol[] =

PAGE(index_html) {
#embed "pages/index.html"
};
PAGE(explorer_css) {
#embed "pages/explorer.css"
};
PAGE(explorer_js) {
#embed "pages/explorer.js"
};
PAGE(source_js) {
#embed "pages/source.js"
};
PAGE(view_js) {
#embed "pages/view.js"
};
PAGE(chart_js) {
#embed "pages/chart.js"
};
PAGE(markup_js) {
#embed "pages/markup.js"
};
PAGE(overview_js) {
#embed "pages/overview.js"
};
PAGE(model_js) {
#embed "pages/model.js"
};
PAGE(run_js) {
#embed "pages/run.js"
};
PAGE(settings_js) {
#embed "pages/settings.js"
};
PAGE(sketch_js) {
#embed "pages/sketch.js"
};

#define ROW(name, symbol) {name, symbol, sizeof symbol}
static const CExplorerPage all[] = {
  ROW("index.html", index_html),
  ROW("explorer.css", explorer_css),
  ROW("explorer.js", explorer_js),
  ROW("source.js", source_js),
  ROW("view.js", view_js),
  ROW("chart.js", chart_js),
  ROW("markup.js", markup_js),
  ROW("overview.js", overview_js),
  ROW("model.js", model_js),
  ROW("run.js", run_js),
  ROW("settings.js", settings_js),
  ROW("sketch.js", sketch_js),
};

size_t cexplorer_count(void) { return sizeof all / sizeof all[0]; }
CExplorerPage cexplorer_page(size_t index) { return all[index]; }
