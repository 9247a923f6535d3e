# Writes OUTPUT, a C++ file that holds INPUT byte by byte: string literals have a length limit below
# the document's size.
#   cmake -DINPUT=openapi.json -DOUTPUT=openapi.cc -DROOM=dialects/native -DNAMESPACE=native -P embed.cmake
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "((0x..,){24})" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "#include \"${ROOM}/openapi.h\"

namespace docket::${NAMESPACE} {
namespace {
constexpr char kDocument[] = {
${bytes}};
}  // namespace

std::string_view openapi_document() { return {kDocument, sizeof kDocument}; }

}  // namespace docket::${NAMESPACE}
")
