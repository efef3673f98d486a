// /openapi/v2, /openapi/v3 and the documents below it.
#include <algorithm>

#include "apiserver/discovery/openapi_documents.h"
#include "apiserver/handlers/api_handler.h"
#include "base/text.h"

namespace kulisse::apiserver {
namespace {

constexpr std::string_view kV3Prefix = "/openapi/v3/";
// A document under its hash never changes (upstream says the same with Expires, in a year).
constexpr std::string_view kImmutable = "public, immutable, max-age=31536000";

enum class DocumentForm : uint8_t { kNone, kJson, kProtobuf };

// The first form in Accept that there is, from left to right; JSON when the header is missing.
DocumentForm FormIn(std::string_view accept, bool has_protobuf) {
  if (TrimSpace(accept).empty()) return DocumentForm::kJson;
  for (const std::string_view clause : Split(accept, ',')) {
    const std::string_view type = TrimSpace(clause.substr(0, clause.find(';')));
    if (type == "application/json" || type == "application/*" || type == "*/*") {
      return DocumentForm::kJson;
    }
    // The name with '@', which clients use, is no legal media type; so answers have a dot.
    if (has_protobuf && (type == kOpenApiV2ProtobufType ||
                         type == "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")) {
      return DocumentForm::kProtobuf;
    }
  }
  return DocumentForm::kNone;
}

HttpResponse Bare(int code) {
  HttpResponse response;
  response.status = code;
  return response;
}

// RFC 9110 13.1.2: a list of tags, weak or not.
bool IsUnchanged(const HttpRequest& request, std::string_view etag) {
  const auto tags = Split(request.Find("If-None-Match"), ',');
  return std::ranges::any_of(tags, [&](std::string_view tag) {
    tag = TrimSpace(tag);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    return tag == etag || tag == "*";
  });
}

// `made`: when the documents were, as Last-Modified.
HttpResponse ServeV2(const HttpRequest& request, const OpenApiDocuments& documents,
                     const std::string& made) {
  const DocumentForm form = FormIn(request.Find("Accept"), true);
  HttpResponse response = Bare(form == DocumentForm::kNone ? 406 : 200);
  response.headers = {{"Vary", "Accept-Encoding"}, {"Vary", "Accept"}};
  if (form == DocumentForm::kNone) return response;
  const std::string etag = documents.V2ETag();
  response.headers.emplace_back("ETag", etag);
  if (IsUnchanged(request, etag)) {
    response.status = 304;
    return response;
  }
  response.headers.emplace_back("Last-Modified", made);
  const bool json = form == DocumentForm::kJson;
  response.headers.emplace_back("Content-Type", json ? "application/json" : kOpenApiV2ProtobufType);
  response.body = json ? documents.V2Json().body : documents.V2Protobuf().body;
  response.compressible = true;
  return response;
}

HttpResponse ServeV3(const HttpRequest& request, std::string_view path, const Query& query,
                     const OpenApiDocuments& documents, const std::string& made) {
  const std::optional<std::string> etag = documents.V3ETag(path);
  if (!etag) return Bare(404);
  HttpResponse response = Bare(200);
  response.headers = {{"Vary", "Accept"}};
  if (FormIn(request.Find("Accept"), false) == DocumentForm::kNone) {
    response.status = 406;
    return response;
  }
  response.headers.emplace_back("ETag", *etag);
  const std::string_view hash = std::string_view(*etag).substr(1, etag->size() - 2);
  const std::string_view wanted = query.Text("hash");
  if (!wanted.empty() && wanted != hash) {
    response.status = 301;
    response.headers.emplace_back(
        "Location", std::string(kV3Prefix).append(path).append("?hash=").append(hash));
    return response;
  }
  if (!wanted.empty()) response.headers.emplace_back("Cache-Control", kImmutable);
  if (IsUnchanged(request, *etag)) {
    response.status = 304;
    return response;
  }
  response.headers.emplace_back("Last-Modified", made);
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = documents.V3(path)->body;
  return response;
}

}  // namespace

ApiHandler::Answer ApiHandler::ServeOpenApi(const RequestState& state) {
  const std::string_view path = state.info.path;
  if (path == "/openapi/v2") return ServeV2(state.request, openapi_, started_);
  if (path == "/openapi/v3") {
    HttpResponse response = Bare(200);
    response.headers = {{"Content-Type", std::string(kOpenApiV3IndexType)},
                        {"Last-Modified", started_}};
    response.body = openapi_.V3Index();
    return response;
  }
  if (!path.starts_with(kV3Prefix)) return std::nullopt;
  return ServeV3(state.request, path.substr(kV3Prefix.size()), state.info.query, openapi_,
                 started_);
}

}  // namespace kulisse::apiserver
