// CertificateApproval, CertificateSigning, CertificateSubjectRestriction: who may approve and sign
// certificate requests, and that nobody gets into system:masters that way.
// Upstream: plugin/pkg/admission/certificates.
#include <fmt/format.h>

#include <algorithm>

#include "apiserver/admission/plugins.h"
#include "apiserver/authz/authorizer.h"
#include "apiserver/registry/resource_store.h"
#include "base/status.h"
#include "base/text.h"
#include "certs/certificate_request.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kRequests = "certificatesigningrequests.certificates.k8s.io";
constexpr std::string_view kClientSigner = "kubernetes.io/kube-apiserver-client";

// Whether the user may do `verb` for the signer, or for all of its domain.
bool MayActFor(const Authorizer& authorizer, const RequestContext& context, std::string_view verb,
               std::string_view signer) {
  Attributes attributes;
  attributes.user.name = context.user;
  attributes.user.groups = context.groups;
  attributes.verb = verb;
  attributes.group = "certificates.k8s.io";
  attributes.resource = "signers";
  attributes.is_resource = true;
  attributes.name = signer;
  if (authorizer.Authorize(attributes) == Authorizer::Decision::kAllow) return true;
  attributes.name = std::string(signer.substr(0, signer.find('/'))) + "/*";
  return authorizer.Authorize(attributes) == Authorizer::Decision::kAllow;
}

// What only some may do to a request for a signer.
struct SignerRule {
  std::string_view subresource;
  std::string_view verb;
  std::string_view action;  // in the refusal
};
constexpr SignerRule kApproval{"approval", "approve", "approve requests with"};
constexpr SignerRule kSigning{"status", "sign", "sign requests with"};

class SignerPermission final : public AdmissionPlugin {
 public:
  SignerPermission(const SignerRule& rule, const Authorizer& authorizer)
      : rule_(rule), authorizer_(authorizer) {}

  [[nodiscard]] AdmissionInterest Interest() const override { return {kOnUpdate, {kRequests}}; }

  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    if (attributes.subresource != rule_.subresource) return {};
    if (rule_.subresource == "status" && !SignsAnything(attributes)) return {};
    const std::string_view signer = attributes.old->FindString({"spec", "signerName"});
    if (MayActFor(authorizer_, attributes.context, rule_.verb, signer)) return {};
    return std::unexpected(AdmissionForbidden(
        attributes,
        fmt::format("user not permitted to {} signerName {}", rule_.action, GoQuote(signer))));
  }

 private:
  static bool SignsAnything(const AdmissionAttributes& attributes) {
    for (const std::string_view name : {"certificate", "conditions"}) {
      const json::Value* now = attributes.root().Find({"status", name});
      const json::Value* before = attributes.old->Find({"status", name});
      const bool same = now == nullptr || before == nullptr ? now == before : *now == *before;
      if (!same) return true;
    }
    return false;
  }

  const SignerRule& rule_;
  const Authorizer& authorizer_;
};

class CertificateSubjectRestriction final : public AdmissionPlugin {
 public:
  [[nodiscard]] AdmissionInterest Interest() const override { return {kOnCreate, {kRequests}}; }

  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    if (!attributes.subresource.empty()) return {};
    const json::Value& root = attributes.root();
    if (root.FindString({"spec", "signerName"}) != kClientSigner) return {};
    const auto pem = Base64Decode(root.FindString({"spec", "request"}));
    const auto organizations = certs::OrganizationsOfRequest(pem.value_or(""));
    if (!organizations) {
      return std::unexpected(AdmissionForbidden(
          attributes, fmt::format("failed to parse CSR: {}", organizations.error())));
    }
    if (std::ranges::find(*organizations, kMastersGroup) == organizations->end()) return {};
    return std::unexpected(AdmissionForbidden(
        attributes,
        fmt::format("use of {} signer with system:masters group is not allowed", kClientSigner)));
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakeCertificateApproval(const AdmissionOptions& /*options*/,
                                                         const AdmissionParts& parts) {
  return std::make_unique<SignerPermission>(kApproval, parts.authorizer);
}

std::unique_ptr<AdmissionPlugin> MakeCertificateSigning(const AdmissionOptions& /*options*/,
                                                        const AdmissionParts& parts) {
  return std::make_unique<SignerPermission>(kSigning, parts.authorizer);
}

std::unique_ptr<AdmissionPlugin> MakeCertificateSubjectRestriction(
    const AdmissionOptions& /*options*/, const AdmissionParts& /*parts*/) {
  return std::make_unique<CertificateSubjectRestriction>();
}

}  // namespace kulisse::apiserver
