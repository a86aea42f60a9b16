/// Runs a Lua program, which is the input, in a state of its own. The program finds `parameter` as the global variable
/// `size`; the checksum is FNV-1a over the string that it returns.
#include "kernel.h"
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

uint64_t fl_lua_run(const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
    lua_State *state = luaL_newstate();
    if (!state) {
        fl_outcome_fail(outcome, "no memory");
        return 0;
    }
    luaL_openlibs(state);
    lua_pushinteger(state, (lua_Integer)parameter);
    lua_setglobal(state, "size");
    uint64_t hash = 0;
    if (luaL_loadbuffer(state, (const char *)input, length, "=program.lua") != LUA_OK ||
        lua_pcall(state, 0, 1, 0) != LUA_OK) {
        const char *text = lua_tostring(state, -1);
        fl_outcome_fail(outcome, text ? text : "an error without a text");
    } else {
        size_t size = 0;
        const char *text = lua_tolstring(state, -1, &size);
        if (text) {
            hash = FL_HASH_BASIS;
            for (size_t index = 0; index < size; index++) hash = (hash ^ (uint8_t)text[index]) * FL_HASH_PRIME;
        } else {
            fl_outcome_fail(outcome, "the program returned no string");
        }
    }
    lua_close(state);
    return hash;
}
