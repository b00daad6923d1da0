// Stands in for the seven shared libraries of Kerberos, which the loader would map at every start: the calls that libgit2
// makes to log in over HTTP. Each fails as RFC 2744 says of a mechanism that is not there.
namespace {
constexpr unsigned kUnavailable = 16U << 16U;  // GSS_S_UNAVAILABLE

unsigned unavailable(unsigned* minor) {
  if (minor != nullptr) *minor = 0;
  return kUnavailable;
}
}  // namespace

extern "C" {
extern const void* const GSS_C_NT_HOSTBASED_SERVICE;
const void* const GSS_C_NT_HOSTBASED_SERVICE = nullptr;
unsigned gss_delete_sec_context(unsigned* minor) { return unavailable(minor); }
unsigned gss_display_status(unsigned* minor) { return unavailable(minor); }
unsigned gss_import_name(unsigned* minor) { return unavailable(minor); }
unsigned gss_indicate_mechs(unsigned* minor) { return unavailable(minor); }
unsigned gss_init_sec_context(unsigned* minor) { return unavailable(minor); }
unsigned gss_release_buffer(unsigned* minor) { return unavailable(minor); }
unsigned gss_release_name(unsigned* minor) { return unavailable(minor); }
unsigned gss_release_oid_set(unsigned* minor) { return unavailable(minor); }
}
