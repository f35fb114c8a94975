"""Accept, dispatch, settle: due job → lease → attempt → outcome → store. One thread changes job state."""
