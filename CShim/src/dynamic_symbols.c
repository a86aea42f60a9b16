// The reader of DT_GNU_HASH. Format: glibc's elf/dl-lookup.c, the only place that describes it.
#include "shim_code.h"

#include "dynamic_symbols.h"

#include <link.h>

typedef struct tables {
    const uint32_t *_Nullable hash;
    const ElfW(Sym) *_Nullable symbols;
    const char *_Nullable strings;
} tables;

static tables tables_of(const struct link_map *map) {
    tables found = {.hash = NULL};
    for (const ElfW(Dyn) *entry = map->l_ld; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        // The dynamic linker has made addresses of them.
        switch (entry->d_tag) {
        case DT_GNU_HASH: found.hash = (const uint32_t *)entry->d_un.d_ptr; break;
        case DT_SYMTAB: found.symbols = (const ElfW(Sym) *)entry->d_un.d_ptr; break;
        case DT_STRTAB: found.strings = (const char *)entry->d_un.d_ptr; break;
        default: break;
        }
    }
    return found;
}

static uint32_t hash_of(const char *name) {
    uint32_t hash = 5381;
    for (const uint8_t *at = (const uint8_t *)name; *at != 0; at++) hash = hash * 33 + *at;
    return hash;
}

fl_code_range fl_dynamic_symbol(const fl_loaded_object *object, const char *name, bool *has_table) {
    const struct link_map *map = object->map;
    tables from = map == NULL ? (tables){.hash = NULL} : tables_of(map);
    *has_table = from.hash != NULL && from.symbols != NULL && from.strings != NULL;
    if (!*has_table || from.hash[0] == 0) return (fl_code_range){0, 0};
    // The number of buckets, the first symbol in them, the words of a Bloom filter; the filter, the buckets, the
    // hashes.
    uint32_t count = from.hash[0], first = from.hash[1], filter_words = from.hash[2], wanted = hash_of(name);
    const uint32_t *buckets = from.hash + 4 + filter_words * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t *hashes = buckets + count;
    uint32_t index = buckets[wanted % count];
    if (index < first) return (fl_code_range){0, 0};
    for (;; index++) {
        uint32_t hash = hashes[index - first];
        const ElfW(Sym) *symbol = &from.symbols[index];
        if ((hash | 1) == (wanted | 1) && symbol->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
            strcmp(from.strings + symbol->st_name, name) == 0) {
            uintptr_t low = map->l_addr + symbol->st_value;
            return (fl_code_range){low, low + symbol->st_size};
        }
        if (hash & 1) return (fl_code_range){0, 0}; // the last of its bucket
    }
}

#pragma clang attribute pop
